-- Adds what a ranked search says of a hit: its rank, how many candidates there were, and the words in their places,
-- between U+E000 and U+E001, which are taken out of the texts themselves.
    ,
    page.rank,
    page.matches,
    ts_headline(
        'workflow_store.document'::regconfig,
        translate(left(coalesce(h.title, ''), 1000), U&'\E000\E001', ''),
        asked.query,
        U&'StartSel=\E000, StopSel=\E001, HighlightAll=true'
    ) AS title_highlight,
    ts_headline(
        'workflow_store.document'::regconfig,
        translate(left(coalesce(h.description, ''), 8000), U&'\E000\E001', ''),
        asked.query,
        U&'StartSel=\E000, StopSel=\E001, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=" … "'
    ) AS description_highlight,
    ts_headline(
        'workflow_store.document'::regconfig,
        translate(left(coalesce(e.explainer_text, ''), 20000), U&'\E000\E001', ''),
        asked.query,
        U&'StartSel=\E000, StopSel=\E001, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=" … "'
    ) AS explainer_highlight
