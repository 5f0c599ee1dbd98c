-- Which resources are used most.
--
-- Events by resource type, with the busiest resource of each type. Buckets count once for each
-- object in them.
--
-- category: all

SELECT
    r.type,
    count(*) AS events,
    count(DISTINCT r.arn) AS resources,
    min(eventTime) AS firstEvent,
    max(eventTime) AS lastEvent
FROM
    my-event-data-store
    CROSS JOIN UNNEST(resources) AS r(accountId, type, arn, arnPrefix)
GROUP BY
    r.type
ORDER BY
    events DESC
