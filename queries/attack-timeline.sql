-- What one address changed, in order.
--
-- The write events of an incident as a list to work through: what was made, changed or removed,
-- with the parameters that say what it was. Reads and single objects are left out.
--
-- category: all

SELECT
    eventTime,
    eventName,
    awsRegion,
    coalesce(
        element_at(requestParameters, 'userName'),
        element_at(requestParameters, 'roleName'),
        element_at(requestParameters, 'bucketName'),
        element_at(requestParameters, 'groupId'),
        element_at(requestParameters, 'keyId'),
        element_at(requestParameters, 'name'),
        element_at(requestParameters, 'instanceType')
    ) AS target,
    CASE WHEN errorCode IS NULL THEN 'done' ELSE errorCode END AS outcome
FROM
    my-event-data-store
WHERE
    sourceIPAddress = '203.0.113.66'
    AND eventCategory = 'Management'
    AND readOnly = false
ORDER BY
    eventTime,
    eventID
