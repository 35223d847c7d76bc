#!/usr/bin/env python3
"""Trains a factorisation of what listeners played, by Spark MLlib, for Segue servers to blend into their recommendations.

    spark-submit als.py --plays PLACE --out PLACE [--rank 64] [--iterations 15] [--alpha 40] [--regularisation 0.1]

PLACE is anything that Spark reads: a folder, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX, s3a://BUCKET/PREFIX.
--plays is what `segue plays export --plays-store` fills; --out is what `segue train --factors` and `segue serve --factors` read:

    manifest.json                   the newest model and how it was trained; written last
    TIME/item_factors/*.parquet     id: int32, features: list<float>
    TIME/user_factors/*.parquet     the same for listeners
    TIME/items/*.parquet            id: int32, track: string
    TIME/listeners/*.parquet        id: int32, listener: string (a pseudonym)

The objective is that of Hu, Koren and Volinsky (ICDM 2008), with the regularisation of a row scaled by its number of plays.
"""

import argparse
import datetime
import json

from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

WEIGHTS = {
    "played": lambda plays: f.lit(1.0),
    "log": f.log1p,
    "1+log": lambda plays: 1.0 + f.log(plays),
}


def arguments():
    parser = argparse.ArgumentParser(description="Trains ALS on exported plays.")
    parser.add_argument("--plays", required=True, help="where `segue plays export` writes")
    parser.add_argument("--out", required=True, help="where the model goes")
    parser.add_argument("--rank", type=int, default=64, help="numbers for each item and listener")
    parser.add_argument("--iterations", type=int, default=15)
    parser.add_argument("--alpha", type=float, default=40.0, help="confidence of a play over that of none")
    parser.add_argument("--regularisation", type=float, default=0.1, help="for each play of a row")
    parser.add_argument("--weighting", choices=sorted(WEIGHTS), default="played", help="how plays become weights")
    parser.add_argument("--blocks", type=int, default=10, help="parts that the work is divided into")
    parser.add_argument("--keep", type=int, default=2, help="models that stay, the new one among them")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def numbered(frame, name):
    """The distinct values of a column, numbered densely in their order. All of them pass through one task."""
    order = Window.orderBy(name)
    return frame.select(name).distinct().select((f.row_number().over(order) - 1).cast("int").alias("id"), name)


def main():
    said = arguments()
    spark = SparkSession.builder.appName("segue-als").getOrCreate()
    began = datetime.datetime.now(datetime.timezone.utc)
    made = began.strftime("%Y%m%dT%H%M%S%fZ")
    place = said.out.rstrip("/")
    files = spark.sparkContext._jvm.org.apache.hadoop.fs
    root = files.Path(place)
    system = root.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())

    plays = spark.read.parquet(said.plays.rstrip("/") + "/plays").where("counted")
    pairs = plays.groupBy("listener", "track").agg(f.count("*").alias("plays")).cache()
    listeners, tracks = numbered(pairs, "listener").cache(), numbered(pairs, "track").cache()
    ratings = (
        pairs.join(listeners.withColumnRenamed("id", "user"), "listener")
        .join(tracks.withColumnRenamed("id", "item"), "track")
        .select("user", "item", WEIGHTS[said.weighting](f.col("plays")).cast("float").alias("rating"))
        .cache()
    )
    count = ratings.count()
    if count == 0:
        raise SystemExit("there are no plays to learn from in " + said.plays)

    als = ALS(
        rank=said.rank,
        maxIter=said.iterations,
        regParam=said.regularisation,
        alpha=said.alpha,
        implicitPrefs=True,
        numUserBlocks=said.blocks,
        numItemBlocks=said.blocks,
        userCol="user",
        itemCol="item",
        ratingCol="rating",
        seed=said.seed,
    )
    fit = datetime.datetime.now(datetime.timezone.utc)
    model = als.fit(ratings)
    model.userFactors.count()
    seconds = (datetime.datetime.now(datetime.timezone.utc) - fit).total_seconds()
    for name, frame in [
        ("item_factors", model.itemFactors),
        ("user_factors", model.userFactors),
        ("items", tracks),
        ("listeners", listeners),
    ]:
        frame.write.mode("overwrite").parquet(f"{place}/{made}/{name}")

    manifest = {
        "form": 1,
        "made": made,
        "rank": said.rank,
        "iterations": said.iterations,
        "alpha": said.alpha,
        "regularisation": said.regularisation,
        "weighting": said.weighting,
        "item_factors": f"{made}/item_factors",
        "user_factors": f"{made}/user_factors",
        "items": f"{made}/items",
        "listeners": f"{made}/listeners",
        "pairs": count,
        "fit_seconds": round(seconds, 3),
    }
    # By the file system that Spark writes with, so that every place that it knows will do.
    stream = system.create(files.Path(place + "/manifest.json"), True)
    try:
        stream.write(bytearray(json.dumps(manifest, indent=1).encode("ascii")))
    finally:
        stream.close()
    # A server may be reading the model before this one.
    models = [status.getPath() for status in system.listStatus(root) if status.isDirectory()]
    models = sorted((path for path in models if path.getName()[:8].isdigit()), key=lambda path: path.getName())
    for path in models[: -max(said.keep, 1)]:
        system.delete(path, True)
    print(f"{count} pairs, fitted in {seconds:.1f} s: {place}/{made}")
    spark.stop()


if __name__ == "__main__":
    main()
