# alembic on every tenant, in one process over one connection: peers_alembic.py FOLDER
# FOLDER gets env.py and versions/ from peers.bash. The connection is libpq's environment.
import os
import sys

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

engine = create_engine("postgresql://", pool_size=1, max_overflow=0)
with engine.connect() as connection:
    schemas = [row[0] for row in connection.execute(text("SELECT schema_name FROM public.tenants ORDER BY 1"))]
for schema in schemas:
    config = Config()
    config.set_main_option("script_location", sys.argv[1])
    config.attributes["engine"] = engine
    config.attributes["schema"] = schema
    command.upgrade(config, "head")
