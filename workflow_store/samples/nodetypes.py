"""The kinds of nodes a generated workflow is put together from, and how often each is met."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from workflow_store.samples.draws import SLOTS, zipf
from workflow_store.samples.vocabulary import words


class NodeType(NamedTuple):
    """One type of node.

    ``shape`` names the builder of its parameters; ``weight`` is its share of a workflow's spare bytes; ``port`` is the
    input of an agent that it serves (empty for an ordinary node).
    """

    name: str
    label: str
    version: str
    shape: str
    weight: float
    port: str = ""


_BASE: Final = "n8n-nodes-base."
_CHAIN: Final = "@n8n/n8n-nodes-langchain."

STICKY: Final = NodeType(f"{_BASE}stickyNote", "Sticky Note", "1", "sticky", 1.0)
AGENT: Final = NodeType(f"{_CHAIN}agent", "AI Agent", "1.9", "agent", 2.4)
TRIGGERS: Final = (
    NodeType(f"{_BASE}manualTrigger", "When clicking ‘Execute workflow’", "1", "empty", 0),
    NodeType(f"{_BASE}scheduleTrigger", "Schedule Trigger", "1.2", "schedule", 0),
    NodeType(f"{_BASE}webhook", "Webhook", "2", "webhook", 0),
    NodeType(f"{_BASE}telegramTrigger", "Telegram Trigger", "1.2", "empty", 0),
    NodeType(f"{_BASE}formTrigger", "On form submission", "2.2", "set", 0.8),
    NodeType(f"{_CHAIN}chatTrigger", "When chat message received", "1.1", "empty", 0),
    NodeType(f"{_BASE}executeWorkflowTrigger", "When Executed by Another Workflow", "1.1", "empty", 0),
    NodeType(f"{_BASE}gmailTrigger", "Gmail Trigger", "1.2", "empty", 0),
)
SERVANTS: Final = (
    NodeType(f"{_CHAIN}lmChatOpenAi", "OpenAI Chat Model", "1.2", "model", 0, "ai_languageModel"),
    NodeType(f"{_CHAIN}lmChatGoogleGemini", "Google Gemini Chat Model", "1", "model", 0, "ai_languageModel"),
    NodeType(f"{_CHAIN}lmChatOpenRouter", "OpenRouter Chat Model", "1", "model", 0, "ai_languageModel"),
    NodeType(f"{_CHAIN}lmChatAnthropic", "Anthropic Chat Model", "1.3", "model", 0, "ai_languageModel"),
    NodeType(f"{_CHAIN}memoryBufferWindow", "Simple Memory", "1.3", "model", 0, "ai_memory"),
    NodeType(f"{_CHAIN}outputParserStructured", "Structured Output Parser", "1.2", "code", 0.6, "ai_outputParser"),
    NodeType(f"{_BASE}httpRequestTool", "HTTP Request Tool", "4.2", "http", 1.0, "ai_tool"),
    NodeType(f"{_CHAIN}toolWorkflow", "Call n8n Workflow Tool", "2", "prose", 0.8, "ai_tool"),
)

# Commonest first; the counts are those of a large sample of public workflows, to the nearest ten.
_CORE: Final = (
    (950, NodeType(f"{_BASE}httpRequest", "HTTP Request", "4.2", "http", 0.8)),
    (890, NodeType(f"{_BASE}set", "Edit Fields", "3.4", "set", 1.2)),
    (690, NodeType(f"{_BASE}noOp", "No Operation, do nothing", "1", "empty", 0)),
    (500, NodeType(f"{_BASE}code", "Code", "2", "code", 2.2)),
    (390, NodeType(f"{_BASE}if", "If", "2.2", "if", 0)),
    (200, NodeType(f"{_BASE}stopAndError", "Stop and Error", "1", "empty", 0)),
    (170, NodeType(f"{_BASE}merge", "Merge", "3.1", "merge", 0)),
    (160, NodeType(f"{_BASE}telegram", "Telegram", "1.2", "prose", 0.7)),
    (130, NodeType(f"{_BASE}splitOut", "Split Out", "1", "merge", 0)),
    (120, NodeType(f"{_BASE}respondToWebhook", "Respond to Webhook", "1.4", "prose", 0.5)),
    (120, NodeType(f"{_BASE}wait", "Wait", "1.1", "merge", 0)),
    (100, NodeType(f"{_BASE}switch", "Switch", "3.2", "switch", 1.5)),
    (100, NodeType(f"{_BASE}googleSheets", "Google Sheets", "4.5", "sheet", 2.2)),
    (95, AGENT),
    (80, NodeType(f"{_BASE}aggregate", "Aggregate", "1", "merge", 0)),
    (80, NodeType(f"{_BASE}splitInBatches", "Loop Over Items", "3", "merge", 0)),
    (70, NodeType(f"{_BASE}emailSend", "Send email", "2.1", "prose", 0.8)),
    (70, NodeType(f"{_BASE}filter", "Filter", "2.2", "if", 0)),
    (60, NodeType(f"{_BASE}googleDrive", "Google Drive", "3", "service", 0.3)),
    (60, NodeType(f"{_BASE}extractFromFile", "Extract from File", "1", "merge", 0)),
    (55, NodeType(f"{_BASE}html", "HTML", "1.2", "code", 1.0)),
    (53, NodeType(f"{_BASE}gmail", "Gmail", "2.1", "prose", 0.8)),
    (51, NodeType(f"{_BASE}airtable", "Airtable", "2.1", "sheet", 2.0)),
    (48, NodeType(f"{_BASE}postgres", "Postgres", "2.6", "service", 0.5)),
    (46, NodeType(f"{_BASE}readWriteFile", "Read/Write Files from Disk", "1", "merge", 0)),
    (42, NodeType(f"{_BASE}function", "Function", "1", "code", 1.8)),
    (40, NodeType(f"{_BASE}executeCommand", "Execute Command", "1", "prose", 0.4)),
    (39, NodeType(f"{_BASE}convertToFile", "Convert to File", "1.1", "merge", 0)),
    (38, NodeType(f"{_BASE}executeWorkflow", "Execute Workflow", "1.2", "service", 0.3)),
    (33, NodeType(f"{_CHAIN}openAi", "Message a model", "1.8", "agent", 1.8)),
    (32, NodeType(f"{_BASE}slack", "Slack", "2.3", "prose", 0.7)),
    (30, NodeType(f"{_BASE}form", "Form", "1", "set", 0.8)),
    (26, NodeType(f"{_CHAIN}chainLlm", "Basic LLM Chain", "1.6", "agent", 2.0)),
    (22, NodeType(f"{_BASE}notion", "Notion", "2.2", "service", 0.5)),
)
_SERVICES: Final = words(
    """
rssFeedRead supabase markdown dataTable cron ssh googleDocs googleCalendar discord openWeatherMap hubspot wordpress
facebookGraphApi whatsApp youTube linkedIn twitter github gitlab jira trello asana clickUp mondayCom todoist baserow
nocoDb mySql mongoDb redis microsoftOutlook microsoftExcel microsoftTeams microsoftOneDrive microsoftSql salesforce
pipedrive zohoCrm zendesk freshdesk intercom helpScout stripe payPal shopify wooCommerce mailchimp mailerLite sendGrid
brevo activeCampaign convertKit twilio vonage matrix mattermost rocketchat zulip signl4 pushover pushbullet gotify
homeAssistant mqtt kafka rabbitmq amqp awsS3 awsLambda awsSes awsSns awsSqs awsDynamoDb awsTextract googleBigQuery
googleTasks googleContacts googleTranslate googleAnalytics googleAds googleSlides gSuiteAdmin googleChat dropbox box
nextCloud ftp graphql xml crypto dateTime compareDatasets summarize limit sort removeDuplicates renameKeys compression
editImage readPdf spreadsheetFile itemLists moveBinaryData interval emailReadImap errorTrigger n8nTrainingCustomer
airtop apiTemplateIo autopilot bambooHr bannerbear beeminder bitbucket bitly bitwarden bubble calendly calTrigger
chargebee circleCi ciscoWebex clearbit clockify cloudflare cockpit coda coinGecko contentful copper cortex crateDb
crowdDev customerIo deepL demio dhl discourse disqus drift dropcontact egoi elasticsearch elasticSecurity emelia
erpNext eventbrite figma filemaker flow formIo formstack freshservice freshworksCrm getResponse ghost goToWebinar
grafana grist gumroad hackerNews halopsa harvest highLevel humanticAi hunter iterable jenkins jotForm keap kitemaker
koBoToolbox ldap lemlist lineNotify linear lingvaNex loneScale magento2 mailgun mailjet mandrill marketstack mautic
medium messageBird metabase mindee misp mocean monicaCrm nasa netlify netscalerAdc npm odoo okta oneSimpleApi onfleet
openThesaurus oura paddle pagerDuty peekalink phantombuster philipsHue plivo postBin postHog postmark profitWell
pushcut questDb quickbooks quickBase raindrop reddit rundeck s3 securityScorecard segment sendy sentryIo serviceNow
shufflerIo sms77 snowflake splunk spontit spotify stackby storyblok strapi strava surveyMonkey syncroMsp taiga
tapfiliate theHive timescaleDb toggl travisCi twake twist typeform unleashedSoftware uplead uproc uptimeRobot
urlScanIo venafi vero wekan wise wooTrigger workable wufoo xero yourls zammad zoom veo3 perplexity jinaAi mistralAi
cohere ollama huggingFace qdrant pinecone weaviate milvus chroma tavily serpApi firecrawl brightData scrapeGraph apify
browserless elevenLabs heyGen blotato uploadPost creatomate cloudConvert pdfCo docuSign pandaDoc evolutionApi chatwoot
waha zep mcpClient globals puppeteer playwright tesseract ffmpeg imap4 webflow framer retool airbyte dbt metaAds
tikTok pinterest instagram threads bluesky mastodon snapchat twitch vimeo loom zapier make pipefy kommo folk attio
apollo lusha clay
"""
)


def _services() -> Iterator[NodeType]:
    """A node, a trigger and a tool for every service; about one in nine of a community's own package."""
    for suffix in ("", "Tool", "Trigger"):
        for place, service in enumerate(_SERVICES):
            package = f"@{service.lower()}/n8n-nodes-{service.lower()}." if place % 9 == 8 else _BASE
            label = service[0].upper() + service[1:] + (f" {suffix}" if suffix else "")
            yield NodeType(
                f"{package}{service}{suffix}",
                label,
                ("1", "2", "2.1", "1.1")[place % 4],
                "prose" if place % 3 == 1 else "service",
                0.5,
                "ai_tool" if suffix == "Tool" else "",
            )


@cache
def ordinary() -> tuple[NodeType, ...]:
    """A table of 65,536: the core types by their counts, then every service, ever rarer."""
    core_slots = SLOTS * 7 // 8
    total = sum(count for count, _ in _CORE)
    table: list[NodeType] = []
    reached = 0
    for count, node_type in _CORE:
        reached += count
        table.extend([node_type] * (core_slots * reached // total - len(table)))
    rest = zipf(tuple(_services()), offset=3.0)
    return (*table, *rest[:: SLOTS // (SLOTS - core_slots)])
