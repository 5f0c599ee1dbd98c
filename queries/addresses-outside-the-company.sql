-- Calls from addresses that are not the company's.
--
-- Which principals call from outside the known networks, and how often. Put your own networks in
-- the two `NOT LIKE` conditions.
--
-- category: all

SELECT
    sourceIPAddress,
    coalesce(userIdentity.arn, userIdentity.userName, userIdentity.principalId) AS identity,
    count(*) AS calls,
    min(calendarday) AS firstDay,
    max(calendarday) AS lastDay
FROM
    my-event-data-store
WHERE
    regexp_like(sourceIPAddress, '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$|:')
    AND sourceIPAddress NOT LIKE '192.0.2.%'
    AND sourceIPAddress NOT LIKE '198.51.100.%'
    AND sourceIPAddress NOT LIKE '10.%'
GROUP BY
    sourceIPAddress,
    coalesce(userIdentity.arn, userIdentity.userName, userIdentity.principalId)
ORDER BY
    calls DESC,
    identity,
    sourceIPAddress
