-- Closes the ids of a page. The columns follow.
)
