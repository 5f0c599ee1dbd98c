-- Who read which secret.
--
-- Reads of Secrets Manager values by secret and reader. The application that owns a secret reads
-- it all the time; others should not be in the list.
--
-- category: management

SELECT
    regexp_extract(element_at(requestParameters, 'secretId'), 'secret:(.+)-[A-Za-z0-9]{6}$', 1) AS secret,
    coalesce(userIdentity.sessionContext.sessionIssuer.userName, userIdentity.userName) AS reader,
    count_if(errorCode IS NULL) AS readings,
    count_if(errorCode IS NOT NULL) AS refused,
    approx_distinct(sourceIPAddress) AS addresses,
    max(eventTime) AS lastTime
FROM
    my-event-data-store
WHERE
    eventSource = 'secretsmanager.amazonaws.com'
    AND eventName = 'GetSecretValue'
    AND eventCategory = 'Management'
GROUP BY
    1,
    2
ORDER BY
    secret,
    readings DESC,
    reader
