-- Security group rules that let everyone in.
--
-- New ingress rules for `0.0.0.0/0` or `::/0`, one row per network, with the ports. The request's
-- rules are JSON in one parameter: they are taken apart here.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    userIdentity.arn,
    element_at(requestParameters, 'groupId') AS groupId,
    json_extract_scalar(permission, '$.fromPort') AS fromPort,
    json_extract_scalar(permission, '$.toPort') AS toPort,
    coalesce(
        json_extract_scalar(permission, '$.ipRanges.items[0].cidrIp'),
        json_extract_scalar(permission, '$.ipv6Ranges.items[0].cidrIpv6')
    ) AS network
FROM
    my-event-data-store
    CROSS JOIN UNNEST(
        CAST(json_extract(element_at(requestParameters, 'ipPermissions'), '$.items') AS array(json))
    ) AS p(permission)
WHERE
    eventName = 'AuthorizeSecurityGroupIngress'
    AND errorCode IS NULL
    AND coalesce(
        json_extract_scalar(permission, '$.ipRanges.items[0].cidrIp'),
        json_extract_scalar(permission, '$.ipv6Ranges.items[0].cidrIpv6')
    ) IN ('0.0.0.0/0', '::/0')
ORDER BY
    eventTime DESC
