-- What the customers' pages look up.

CREATE INDEX submissions_by_contract ON submissions (contract_id, number);
