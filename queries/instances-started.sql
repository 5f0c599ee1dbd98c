-- EC2 instances that were started, one by one.
--
-- One call can start many instances; the response lists them. One row per instance, with who
-- started it. Instances that the autoscaler starts are left out.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    awsRegion,
    userIdentity.arn,
    json_extract_scalar(item, '$.instanceId') AS instanceId,
    json_extract_scalar(item, '$.instanceType') AS instanceType
FROM
    my-event-data-store
    CROSS JOIN UNNEST(
        CAST(json_extract(element_at(responseElements, 'instancesSet'), '$.items') AS array(json))
    ) AS t(item)
WHERE
    eventName = 'RunInstances'
    AND userIdentity.invokedBy IS NULL
ORDER BY
    eventTime,
    instanceId
