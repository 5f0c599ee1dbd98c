-- When most happens.
--
-- The ten quarters of an hour with the most events, and whether it was much of one call or a
-- little of many.
--
-- category: all

WITH quarters AS (
    SELECT
        date_trunc('hour', eventTime) + (minute(eventTime) / 15) * INTERVAL '15' MINUTE AS quarter,
        eventName,
        count(*) AS events
    FROM
        my-event-data-store
    GROUP BY
        1,
        2
)
SELECT
    quarter,
    sum(events) AS events,
    count(*) AS differentCalls,
    max(events) AS ofTheMostFrequent,
    rank() OVER (ORDER BY sum(events) DESC) AS place
FROM
    quarters
GROUP BY
    quarter
ORDER BY
    place,
    quarter
LIMIT 10
