-- Calls that a VPC endpoint's policy refused.
--
-- Network activity events show calls through an endpoint even where they end in another account.
-- An account that is not yours in the list means data on its way out.
--
-- category: network activity

SELECT
    vpcEndpointId,
    userIdentity.accountId AS callerAccount,
    eventSource,
    eventName,
    count(*) AS refused,
    min(eventTime) AS firstTime,
    max(eventTime) AS lastTime
FROM
    my-event-data-store
WHERE
    eventCategory = 'NetworkActivity'
    AND errorCode = 'VpceAccessDenied'
GROUP BY
    vpcEndpointId,
    userIdentity.accountId,
    eventSource,
    eventName
ORDER BY
    refused DESC,
    callerAccount,
    eventSource
