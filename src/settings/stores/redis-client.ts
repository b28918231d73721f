/** A client of the host application; connections of our own are made from it, it is not used. */
export interface RedisClientLike {
  readonly isCluster?: boolean;
  duplicate(...args: never[]): unknown;
}
