-- How long instances lived.
--
-- Instances that were started and ended by somebody, with their lifetime. Long-lived experiments
-- cost money.
--
-- category: management

WITH started AS (
    SELECT
        eventTime AS startedAt,
        userIdentity.arn AS startedBy,
        json_extract_scalar(item, '$.instanceId') AS instanceId,
        json_extract_scalar(item, '$.instanceType') AS instanceType
    FROM
        my-event-data-store
        CROSS JOIN UNNEST(
            CAST(json_extract(element_at(responseElements, 'instancesSet'), '$.items') AS array(json))
        ) AS t(item)
    WHERE
        eventName = 'RunInstances'
),
ended AS (
    SELECT
        eventTime AS endedAt,
        json_extract_scalar(item, '$.instanceId') AS instanceId
    FROM
        my-event-data-store
        CROSS JOIN UNNEST(
            CAST(json_extract(element_at(responseElements, 'instancesSet'), '$.items') AS array(json))
        ) AS t(item)
    WHERE
        eventName = 'TerminateInstances'
)
SELECT
    started.instanceId,
    started.instanceType,
    started.startedBy,
    started.startedAt,
    date_diff('minute', started.startedAt, ended.endedAt) AS minutes
FROM
    started
    INNER JOIN ended ON ended.instanceId = started.instanceId
ORDER BY
    minutes DESC,
    instanceId
