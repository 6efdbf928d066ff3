-- How many requests came and failed, as wholes and by cell, ten seconds by ten seconds?
-- from, to: DateTime('UTC') texts, whole 10 s. services, operations: of those that are asked for, pair by pair. Row: one series; places
-- of its 10 s after `from` with their requests and bad ones. What is not there had none.
SELECT service, operation, channel, site, region, groupArray(place) AS places, groupArray(asked) AS counts, groupArray(failed) AS bad
FROM
(
  SELECT service, operation, channel, site, region, intDiv(dateDiff('second', toDateTime({from:String}, 'UTC'), bucket), 10) AS place,
    sum(requests) AS asked, sumIf(requests, outcome IN ('system_error', 'business_error', 'shed')) AS failed
  FROM requests_10s
  WHERE bucket >= toDateTime({from:String}, 'UTC') AND bucket < toDateTime({to:String}, 'UTC') AND traffic = 'live'
    AND service IN {services:Array(String)}
    AND (service, operation) IN (SELECT arrayJoin(arrayZip({services:Array(String)}, {operations:Array(String)})) AS pair)
  GROUP BY GROUPING SETS ((service, operation, place), (service, operation, channel, site, region, place))
)
GROUP BY service, operation, channel, site, region
