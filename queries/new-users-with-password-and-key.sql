-- New IAM users, and how soon they got a password and a key.
--
-- A user that gets everything within minutes, by one hand, at night, is worth a look. One row per
-- new user.
--
-- category: management

SELECT
    made.recipientAccountId,
    element_at(made.requestParameters, 'userName') AS userName,
    made.eventTime AS created,
    made.userIdentity.arn AS createdBy,
    date_diff('second', made.eventTime, max(given.eventTime)) AS secondsUntilComplete,
    array_agg(given.eventName ORDER BY given.eventTime) AS steps
FROM
    my-event-data-store AS made
    INNER JOIN my-event-data-store AS given
        ON element_at(given.requestParameters, 'userName')
            = element_at(made.requestParameters, 'userName')
        AND given.recipientAccountId = made.recipientAccountId
        AND given.eventTime BETWEEN made.eventTime AND made.eventTime + INTERVAL '1' DAY
WHERE
    made.eventName = 'CreateUser'
    AND given.eventName IN ('CreateAccessKey', 'CreateLoginProfile', 'AttachUserPolicy', 'AddUserToGroup')
GROUP BY
    made.recipientAccountId,
    element_at(made.requestParameters, 'userName'),
    made.eventTime,
    made.userIdentity.arn
ORDER BY
    created
