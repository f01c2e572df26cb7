"""One file a header or concern; a check knows no other check, only what several of them share (review.readers)."""
