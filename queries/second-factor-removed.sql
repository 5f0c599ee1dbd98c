-- Second factors that were taken away.
--
-- A device deactivated or deleted, and the time until a new one was enabled for the same user.
--
-- category: management

SELECT
    eventTime,
    eventName,
    userIdentity.userName,
    element_at(requestParameters, 'serialNumber') AS device,
    date_diff(
        'hour',
        lag(eventTime) OVER (PARTITION BY element_at(requestParameters, 'serialNumber') ORDER BY eventTime),
        eventTime
    ) AS hoursSincePrevious
FROM
    my-event-data-store
WHERE
    eventName IN ('DeactivateMFADevice', 'DeleteVirtualMFADevice', 'EnableMFADevice', 'ResyncMFADevice')
ORDER BY
    eventTime
