-- Part of other questions: of which derivation rows of derived tables count. from, to: DateTime('UTC'), minute edges; late_from and near_until:
-- DateTime('UTC'), between these two every tenth minute is looked at alone. TABLE stands for the name in `derivations`.
(bucket, derivation) IN (
    SELECT bucket, max(derivation) FROM derivations
    WHERE name = 'TABLE' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
      AND (bucket < {near_until:DateTime('UTC')} OR bucket >= {late_from:DateTime('UTC')} OR toMinute(bucket) % 10 = 0)
    GROUP BY bucket)
