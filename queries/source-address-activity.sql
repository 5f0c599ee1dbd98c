-- Which identities one address used, and what for.
--
-- An attacker changes identities more often than addresses. Each identity is listed with its
-- number of calls, how many were refused, and the first and last of them.
--
-- category: all

SELECT
    coalesce(userIdentity.arn, userIdentity.userName, userIdentity.principalId) AS identity,
    count(*) AS calls,
    count_if(errorCode IS NOT NULL) AS refused,
    count(DISTINCT eventName) AS differentCalls,
    min(eventTime) AS firstSeen,
    max(eventTime) AS lastSeen
FROM
    my-event-data-store
WHERE
    sourceIPAddress = '203.0.113.66'
GROUP BY
    coalesce(userIdentity.arn, userIdentity.userName, userIdentity.principalId)
ORDER BY
    firstSeen
