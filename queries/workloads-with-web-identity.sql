-- Workloads that came with a token from elsewhere.
--
-- Build systems and clusters take roles with tokens of their own. By subject of the token: which
-- role, how often, and how often refused.
--
-- category: management

SELECT
    userIdentity.userName AS subject,
    userIdentity.identityProvider,
    element_at(requestParameters, 'roleArn') AS roleArn,
    count_if(errorCode IS NULL) AS taken,
    count_if(errorCode IS NOT NULL) AS refused
FROM
    my-event-data-store
WHERE
    eventName = 'AssumeRoleWithWebIdentity'
GROUP BY
    userIdentity.userName,
    userIdentity.identityProvider,
    element_at(requestParameters, 'roleArn')
ORDER BY
    taken DESC
