# One image for every Airflow component: the lock, then the checkout.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 UV_SYSTEM_PYTHON=1
WORKDIR /opt/quality

RUN pip install uv==0.13.9
COPY requirements.txt ./
RUN uv pip install --no-cache --compile-bytecode --no-deps -r requirements.txt

COPY . .
RUN uv pip install --no-cache --no-deps --no-build-isolation -e . \
    && useradd --system --uid 10001 --home-dir /var/lib/quality quality \
    && install -d -o quality -g quality -m 0700 /var/lib/airflow /var/lib/quality
USER quality
