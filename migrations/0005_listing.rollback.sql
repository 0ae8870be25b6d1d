DROP INDEX workflow_store.workflow_metadata_author_idx;

DROP INDEX workflow_store.workflows_has_error_idx;

DROP INDEX workflow_store.workflows_layer3_success_idx;

DROP INDEX workflow_store.workflows_layer2_success_idx;

DROP INDEX workflow_store.workflows_layer1_success_idx;
