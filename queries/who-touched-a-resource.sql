-- Everything that happened to one resource.
--
-- Events name the resources they touch in an array. One row per event for the resource with this
-- ARN; the array is spread to reach into it.
--
-- category: all

SELECT
    eventTime,
    eventName,
    coalesce(
        userIdentity.sessionContext.sessionIssuer.userName,
        userIdentity.userName,
        userIdentity.invokedBy
    ) AS caller,
    r.type,
    errorCode
FROM
    my-event-data-store
    CROSS JOIN UNNEST(resources) AS r(accountId, type, arn, arnPrefix)
WHERE
    r.arn = 'arn:aws:s3:::kf-web-assets'
    AND eventCategory = 'Management'
    AND readOnly = false
ORDER BY
    eventTime
