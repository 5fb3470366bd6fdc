"""WHEN: Airflow wiring, no logic. The only folder that imports Airflow."""
