-- Every audit record, run by run and in order, with the plan that the run's row names (NULL: the run has no row).
SELECT receipt.run, receipt.seq, receipt.body, receipt.signature, run.plan
  FROM receipt LEFT JOIN run ON run.run = receipt.run
 ORDER BY receipt.run, receipt.seq;
