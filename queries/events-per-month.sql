-- How many events there are each month, by category.
--
-- The shape of a trail over time, with the change against the month before. A month that is far
-- too small means that log files are missing.
--
-- category: all

WITH months AS (
    SELECT
        date_trunc('month', eventTime) AS month,
        count(*) AS events,
        count_if(eventCategory = 'Management') AS management,
        count_if(eventCategory = 'Data') AS data
    FROM
        my-event-data-store
    GROUP BY
        date_trunc('month', eventTime)
)
SELECT
    month,
    events,
    management,
    data,
    events - lag(events) OVER (ORDER BY month) AS change
FROM
    months
ORDER BY
    month
