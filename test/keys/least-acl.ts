/** docs/keys.md, "Redis": the least that the gateway's user needs. */
export const LEAST_ACL =
  'user sealgate on >pass%word ~sealgate:* resetchannels &__redis__:invalidate -@all +get +set +del +getrange +eval +scan +ping +info +wait +subscribe +client|id +client|setname +client|tracking +mget +lindex +llen +lrange +rpush +pexpire +zadd +zscore +zrem +zremrangebyscore +zcount';
