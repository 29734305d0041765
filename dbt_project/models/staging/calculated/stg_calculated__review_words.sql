select
    branch_id,
    topic_id,
    kind,
    rank,
    term,
    comments,
    comments_all,
    comments_before,
    comments_all_before,
    log_odds,
    z,
    note,
    business_day
from {{ source('calculated', 'calculated_review_words') }}
