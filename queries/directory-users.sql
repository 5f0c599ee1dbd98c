-- Which roles people take through IAM Identity Center.
--
-- Each time a person of the directory opened a role in an account. The event is AWS's own and says
-- the account in `serviceEventDetails`.
--
-- category: management

SELECT
    eventTime,
    userIdentity.onBehalfOf.userId,
    element_at(serviceEventDetails, 'account_id') AS account,
    element_at(serviceEventDetails, 'role_name') AS role,
    sourceIPAddress
FROM
    my-event-data-store
WHERE
    eventSource = 'sso.amazonaws.com'
    AND eventName = 'Federate'
ORDER BY
    eventTime DESC
