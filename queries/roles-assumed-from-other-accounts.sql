-- Roles that were assumed from other accounts.
--
-- Who outside an account took which of its roles, how often, and when first. An account that is
-- not the organisation's does not belong here.
--
-- category: management

SELECT
    userIdentity.accountId AS callerAccount,
    recipientAccountId AS roleAccount,
    element_at(requestParameters, 'roleArn') AS roleArn,
    count(*) AS times,
    count_if(errorCode IS NOT NULL) AS refused,
    min(eventTime) AS firstTime
FROM
    my-event-data-store
WHERE
    eventName = 'AssumeRole'
    AND userIdentity.type = 'AWSAccount'
    AND userIdentity.accountId <> recipientAccountId
GROUP BY
    userIdentity.accountId,
    recipientAccountId,
    element_at(requestParameters, 'roleArn')
ORDER BY
    callerAccount,
    roleAccount
