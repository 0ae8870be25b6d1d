from tests.records import *
from datetime import *
async def test_edge(store, session):
    for i,d in enumerate([datetime.min, datetime.max, datetime(1,1,1,1), datetime(9999,12,31,23,59,59,999998)]):
        w=Workflow(workflow_id=str(i),url="u",extracted_at=d.replace(tzinfo=UTC))
        print(i, await store.upsert_workflow(w))
        print((await store.get_workflow(str(i))).extracted_at, await session.connection.fetchval("select extracted_at::text from workflow_store.workflows where workflow_id=$1", str(i)))
    for desc in (True, False):
        after=None
        for _ in range(6):
            try:
                p=await store.list_workflows(limit=1, after=after, order_desc=desc)
            except Exception as e:
                print(repr(e)); break
            print([w.workflow_id for w in p.items]); after=p.next
            if not after: break
    for i,q in enumerate([1.7e308,1.7e308]):
        await store.upsert_workflow(Workflow(workflow_id="q%d"%i,url="u",quality_score=q, processing_time=q))
    try: print((await store.get_statistics()).avg_quality_score)
    except Exception as e: print(repr(e))
    await store.delete_workflows(["q0","q1"])
    # replace within one batch
    full=full_workflow("r"); bare=Workflow(workflow_id="r", url="u")
    r=await store.ingest([full,bare], replace=True); print(r)
    print((await store.get_workflow("r")).metadata is None, "one batch")
    await store.ingest([full,bare], replace=True, batch_size=1)
    print((await store.get_workflow("r")).metadata is None, "two batches")
    async with store.writer(replace=True) as w:
        import asyncio
        print(await asyncio.gather(w.put(full), w.put(bare)))
    print((await store.get_workflow("r")).metadata is None, "writer")
    await store.delete_workflow("r")
    await store.upsert_workflow(Workflow(workflow_id="c",url="u",metadata=Metadata(categories=("A","A"))))
    print((await store.get_statistics()).categories)
