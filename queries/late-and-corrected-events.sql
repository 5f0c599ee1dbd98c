-- Events that came late or were corrected.
--
-- An `addendum` says why an event was delivered again or later. For `UPDATED_DATA`, it names the
-- fields that changed and the event that this one replaces.
--
-- category: all

SELECT
    eventTime,
    eventName,
    element_at(addendum, 'reason') AS reason,
    element_at(addendum, 'updatedFields') AS updatedFields,
    element_at(addendum, 'originalEventID') AS originalEventID
FROM
    my-event-data-store
WHERE
    addendum IS NOT NULL
ORDER BY
    eventTime,
    reason
