-- KMS keys that are scheduled for deletion.
--
-- When a key is gone, so is all that it encrypted. With how many days are left to think again, and
-- whether somebody has.
--
-- category: management

SELECT
    scheduled.eventTime,
    scheduled.userIdentity.arn,
    element_at(scheduled.requestParameters, 'keyId') AS keyId,
    CAST(element_at(scheduled.requestParameters, 'pendingWindowInDays') AS integer) AS days,
    cancelled.eventTime AS cancelledAt
FROM
    my-event-data-store AS scheduled
    LEFT JOIN my-event-data-store AS cancelled
        ON cancelled.eventName = 'CancelKeyDeletion'
        AND element_at(cancelled.requestParameters, 'keyId')
            = element_at(scheduled.requestParameters, 'keyId')
        AND cancelled.eventTime > scheduled.eventTime
WHERE
    scheduled.eventName = 'ScheduleKeyDeletion'
    AND scheduled.errorCode IS NULL
ORDER BY
    scheduled.eventTime
