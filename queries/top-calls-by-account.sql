-- The five most frequent calls of each account.
--
-- What an account mostly does. The rank is counted within each account.
--
-- category: all

SELECT
    recipientAccountId,
    place,
    eventSource,
    eventName,
    calls
FROM (
    SELECT
        recipientAccountId,
        eventSource,
        eventName,
        count(*) AS calls,
        row_number() OVER (PARTITION BY recipientAccountId ORDER BY count(*) DESC, eventName) AS place
    FROM
        my-event-data-store
    WHERE
        recipientAccountId IS NOT NULL
    GROUP BY
        recipientAccountId,
        eventSource,
        eventName
)
WHERE
    place <= 5
ORDER BY
    recipientAccountId,
    place
