-- Ends the fields of a search for a part of a text.
)
