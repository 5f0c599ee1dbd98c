-- Which versions of the event format are in the store.
--
-- A record's fields depend on its version. Versions are numbers with two parts: 1.10 is newer than
-- 1.9, so they are sorted as such.
--
-- category: all

SELECT
    eventVersion,
    count(*) AS events,
    min(eventTime) AS firstSeen,
    max(eventTime) AS lastSeen
FROM
    my-event-data-store
GROUP BY
    eventVersion
ORDER BY
    CAST(split_part(eventVersion, '.', 1) AS integer),
    CAST(split_part(eventVersion, '.', 2) AS integer)
