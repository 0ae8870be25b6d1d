-- Adds what a search without ranking by words says of a hit.
    ,
    page.rank,
    page.matches,
    NULL::text AS title_highlight,
    NULL::text AS description_highlight,
    NULL::text AS explainer_highlight
