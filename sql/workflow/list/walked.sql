-- Closes the rows of the order that are looked at. Filters, an order and a limit follow, then `close`.
    ) AS w
    WHERE true
