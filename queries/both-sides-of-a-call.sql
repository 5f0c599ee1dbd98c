-- Calls that are in two accounts' trails.
--
-- A call across accounts is logged on both sides, under one `sharedEventID`. The caller's side
-- knows the session, the other side the account; together they say who came.
--
-- category: management

SELECT
    here.eventTime,
    here.userIdentity.arn AS caller,
    there.recipientAccountId AS calledAccount,
    element_at(there.requestParameters, 'roleArn') AS roleArn,
    here.sharedEventID
FROM
    my-event-data-store AS here
    INNER JOIN my-event-data-store AS there ON here.sharedEventID = there.sharedEventID
WHERE
    here.recipientAccountId <> there.recipientAccountId
    AND here.userIdentity.arn IS NOT NULL
ORDER BY
    here.eventTime,
    calledAccount
