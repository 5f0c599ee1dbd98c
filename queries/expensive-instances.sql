-- Large and graphics instances that were started.
--
-- What cryptocurrency miners start. One row per call, also for the calls that were refused for
-- want of quota.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    awsRegion,
    userIdentity.arn,
    element_at(requestParameters, 'instanceType') AS instanceType,
    json_extract_scalar(element_at(requestParameters, 'instancesSet'), '$.items[0].maxCount') AS asked,
    coalesce(errorCode, 'started') AS outcome
FROM
    my-event-data-store
WHERE
    eventName = 'RunInstances'
    AND regexp_like(
        element_at(requestParameters, 'instanceType'),
        '^(p|g|trn|inf)[0-9]|\.(12|16|24|48)xlarge$'
    )
ORDER BY
    eventTime
