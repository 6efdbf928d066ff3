-- Who judges SLOs: counts leaders. What an earlier one still has in hand is not kept any more, however late it learns that it was
-- replaced.
CREATE TABLE slo_leader (
  id    integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  epoch bigint  NOT NULL
);
INSERT INTO slo_leader (epoch) VALUES (0);
