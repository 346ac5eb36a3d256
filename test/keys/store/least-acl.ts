/** docs/keys.md, "Redis": the least that the gateway's user needs. */
export const LEAST_ACL =
  'user sealgate on >pass%word ~sealgate:* resetchannels &__redis__:invalidate -@all +get +set +del +getrange +eval +scan +ping +info +wait +subscribe +client|id +client|setname +client|tracking +mget +lindex +llen +lrange +rpush +pexpire +zadd +zscore +zrem +zremrangebyscore +zcount';

/** docs/keys.md, "Sidecars": the least that the Redis user of a sidecar of the tenant `photos` needs. */
export const SIDECAR_ACL =
  'user photos on >pass %R~sealgate:upload/sidecar/photos ~sealgate:upload/by/photos ~sealgate:upload/[0-9a-f][0-9a-f]* ~sealgate:etag/* resetchannels -@all +get +set +del +getrange +eval +ping +info +client|setname +mget +lindex +llen +lrange +rpush +pexpire +zadd +zscore +zrem +zremrangebyscore +zcount';
