-- Sets, for this transaction, how much of the words' trigrams a title must have to resemble them: a letter in each word
-- may be wrong.
SELECT set_config('pg_trgm.word_similarity_threshold', '0.45', true) AS tolerance
