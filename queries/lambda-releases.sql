-- New code for Lambda functions.
--
-- Each release of a function, with the time since the one before. Two releases within minutes are
-- usually one release and its withdrawal.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    element_at(requestParameters, 'functionName') AS functionName,
    userIdentity.sessionContext.sessionIssuer.userName AS releasedBy,
    element_at(responseElements, 'codeSha256') AS code,
    date_diff(
        'minute',
        lag(eventTime) OVER (
            PARTITION BY recipientAccountId, element_at(requestParameters, 'functionName')
            ORDER BY eventTime
        ),
        eventTime
    ) AS minutesSinceLast
FROM
    my-event-data-store
WHERE
    eventSource = 'lambda.amazonaws.com'
    AND eventName LIKE 'UpdateFunctionCode%'
    AND errorCode IS NULL
    AND eventTime BETWEEN '2025-06-01' AND '2025-06-30 23:59:59'
ORDER BY
    eventTime,
    functionName
