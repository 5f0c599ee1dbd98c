-- Attempts to stop or change what is recorded.
--
-- Trails stopped, detectors and flow logs deleted, recorders switched off. Attempts that failed
-- count as well: somebody wanted to.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    awsRegion,
    userIdentity.arn,
    eventName,
    coalesce(errorCode, 'done') AS outcome,
    sourceIPAddress
FROM
    my-event-data-store
WHERE
    eventName IN (
        'StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'DeleteEventDataStore',
        'StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDetector',
        'DisableSecurityHub', 'DeleteFlowLogs', 'DeleteLogGroup'
    )
ORDER BY
    eventTime
