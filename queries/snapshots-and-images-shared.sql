-- Snapshots and images that were shared with others.
--
-- A copy of a disk for another account, or for everyone. The parameter that says with whom has a
-- different name for each kind.
--
-- category: management

SELECT
    eventTime,
    userIdentity.arn,
    eventName,
    coalesce(element_at(requestParameters, 'snapshotId'), element_at(requestParameters, 'imageId')) AS shared,
    coalesce(
        json_extract_scalar(element_at(requestParameters, 'createVolumePermission'), '$.add.items[0].userId'),
        json_extract_scalar(element_at(requestParameters, 'launchPermission'), '$.add.items[0].userId'),
        json_extract_scalar(element_at(requestParameters, 'launchPermission'), '$.add.items[0].group')
    ) AS sharedWith
FROM
    my-event-data-store
WHERE
    eventName IN ('ModifySnapshotAttribute', 'ModifyImageAttribute', 'ModifyDBSnapshotAttribute')
    AND (
        json_extract(element_at(requestParameters, 'createVolumePermission'), '$.add') IS NOT NULL
        OR json_extract(element_at(requestParameters, 'launchPermission'), '$.add') IS NOT NULL
    )
ORDER BY
    eventTime
