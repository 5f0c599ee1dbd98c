-- What the root users did.
--
-- The root user of an account should sign in about never. Everything it did, with whether a second
-- factor was used, other than what AWS did on its behalf.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    eventName,
    sourceIPAddress,
    userIdentity.sessionContext.attributes.mfaAuthenticated,
    errorCode
FROM
    my-event-data-store
WHERE
    userIdentity.type = 'Root'
    AND userIdentity.invokedBy IS NULL
    AND eventType <> 'AwsServiceEvent'
ORDER BY
    eventTime
