-- When most happens.
--
-- The ten quarters of an hour with the most events, and the call that made up most of them.
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
    max_by(eventName, events) AS mostFrequent,
    rank() OVER (ORDER BY sum(events) DESC) AS place
FROM
    quarters
GROUP BY
    quarter
ORDER BY
    place,
    quarter
LIMIT 10
