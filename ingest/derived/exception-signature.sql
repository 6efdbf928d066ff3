-- Part of other questions: the signature of one recorded exception (`exception`, a span event's attributes), as error_signatures_mv
-- makes it (ingest/store/schema/0011_error_signatures.sql); a test holds them together.
sipHash64(substring(JSONExtractString(exception, 'exception.type'), 1, 256),
  substring(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(
    substring(JSONExtractString(exception, 'exception.message'), 1, 1000),
    '\\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\\b', '<id>'),
    '"[^"]*"|`[^`]*`|«[^»]*»|“[^”]*”', '<text>'),
    '(^|[^0-9A-Za-z])\'[^\']*\'', '\\1<text>'),
    '\\b(?:0[xX][0-9a-fA-F]+|[0-9a-fA-F]*[0-9][0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*|[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*[0-9][0-9a-fA-F]*)\\b', '<hex>'),
    '[0-9]+(?:[.,:][0-9]+)*', '<n>'), 1, 300),
  substring(replaceRegexpAll(
    if(position(substring(JSONExtractString(exception, 'exception.stacktrace'), 1, 8000) AS stack, 'Traceback') > 0,
      arrayElement(extractAll(stack, 'File "[^"]*", line [0-9]+, in ([^\n]+)'), -1), extract(stack, '(?:^|\n)\\s*at ([^\n(]+)')),
    '[0-9]+', '<n>'), 1, 200))
