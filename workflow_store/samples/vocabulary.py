"""The words that generated records are made of, in the order of how often they are met."""

from __future__ import annotations

from typing import Final


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in its order."""
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.strip().replace("\n", "|").split("|"))


COMMON: Final = words(
    """
the to a and your you of in for with is it this from on that as an can by or if be are use data when into then each at
not all will our more new one using how have has we up workflow node API send set get create add email message file
user Google run list time key item name step content image video text sheet row page post team report lead customer
trigger connect credentials account field result response request model prompt agent AI chat automation template
configure update check filter format output input folder document link URL webhook schedule daily weekly instance
information details system service tool tools project order product record contact notification channel bot form
number value error based automatically before after any every only so no yes also need make sure want what which where
who their they its them these those but through without within between about over under again once until while here
there first second last next final start end open close click copy paste select choose choose replace remove delete
insert save store load read write parse extract transform convert merge split loop wait retry fail success status
test build deploy manage monitor track analyze summarize translate classify score rank sort group search find fetch
scrape crawl download upload publish share sync import export backup restore archive clean validate verify enrich
generate draft reply answer ask question query source target column table sheet database vector memory context history
session token secret header body parameter option setting default custom dynamic static optional required simple
advanced example sample guide overview note tip feature benefit problem solution idea goal case process flow pipeline
business company client sales marketing support finance invoice payment price cost budget revenue expense receipt
product inventory stock shop store campaign audience engagement social media newsletter blog article news feed keyword
SEO website domain landing visitor traffic ranking review feedback survey rating comment thread reaction follower
profile job candidate resume interview hiring employee onboarding training course lesson student school event meeting
calendar reminder appointment booking availability attendee location address city country weather travel flight hotel
health fitness nutrition meal recipe patient doctor clinic law contract legal compliance security alert incident log
ticket issue bug release commit branch repository code function script server cloud storage bucket queue worker cron
job batch chunk page limit offset cursor rate quota timeout latency performance quality accuracy confidence threshold
language English Spanish French German Japanese audio voice speech transcript caption subtitle avatar photo picture
thumbnail design brand style tone topic outline headline paragraph sentence word character emoji title description
summary insight metric chart dashboard analysis trend forecast anomaly signal stock crypto market portfolio exchange
trade currency wallet balance bank card transaction subscription renewal license plan tier free paid public private
internal external local remote mobile desktop browser screen button menu icon color theme dark light large small short
long quick slow fast easy hard full empty missing duplicate unique random sequential parallel manual automatic smart
human person people member owner admin manager leader expert beginner developer engineer designer writer editor reader
approve reject assign escalate route forward label tag category priority urgent deadline task subtask milestone sprint
board card pipeline stage deal opportunity prospect outreach sequence template personalization segment cohort funnel
conversion metric growth retention churn loyalty reward coupon discount promotion offer launch event webinar podcast
episode channel playlist stream clip short reel story carousel hashtag mention influencer creator community forum group
server message bot command keyboard sticker location contact payload schema property object array string boolean
integer decimal date timestamp timezone hour minute month year week day morning evening night today tomorrow yesterday
because however therefore otherwise instead additionally finally currently previously immediately directly properly
correctly successfully easily quickly carefully completely exactly nearly usually often always never sometimes maybe
across along around against among behind beyond during except inside outside near off onto per since toward upon via
able available compatible complete consistent correct current different direct efficient entire existing fresh general
helpful important incoming individual intelligent interactive latest logical main major minor modern multiple native
necessary numeric original outgoing overall parallel possible potential powerful previous professional ready real
recent relevant reliable responsible reusable robust scalable secure similar single special specific standard stable
strong structured suitable technical temporary total typical useful valid various visual whole wrong hook engine map
bridge gateway proxy cache index embed embedding retrieval knowledge base semantic similarity reasoning inference
completion temperature sampling fallback router classifier parser formatter splitter aggregator summarizer scraper
reader writer sender receiver watcher listener handler scheduler dispatcher generator validator
"""
)

PHRASES: Final = _lines(
    """
this workflow|in the workflow|your own|make sure|you need to|API key|Google Sheets|the following|based on|each item
the HTTP Request node|set up|the user|sends a message|for each|in order to|how it works|step by step|connect your
Google Drive account|OpenAI API key|in the settings|as well as|the next step|a list of|is triggered|if you want to
the AI agent|Telegram bot|large language model|social media|n8n instance|credentials for|copy and paste|can be used
the output of the previous node|at the same time|customer support|a new row|one of the|such as|click on|for example
in real time|the Code node|human in the loop|before you start|saves you hours|and much more|no code required|via email
"""
)

STARTERS: Final = _lines(
    """
The|This workflow|When|You can|Then|If|It|Use|Add|Set|Connect your|Next,|Finally,|Once|Each|A|For|Your|Make sure|To|Open
Note that|After that,|All|We|In|Click|Replace|Choose|Configure the
"""
)

BREAKS: Final = (
    "\n\nThis workflow",
    "\n\nThe",
    "\n- Add",
    "\n- Connect",
    "\n- Use the",
    "\n1. Open",
    "\n2. Set",
    "\n3. Run",
    "\n* **Note:** the",
    "\n\n## How it works\n\nThe",
    "\n\n### Setup\n1. Connect",
    "\n\n**Requirements**\n- An",
    "\n\n🚀 Then",
    "\n✅ You",
    "\n\n⚙️ Your",
    "\n→ Use",
    "\n\nDon’t forget to",
    "\n\n---\n\n## Customise\nYou",
)

# Names that no dictionary holds, so that a search for one meets few records.
_HEADS: Final = words(
    "Ar Bel Cor Dax El Fen Gra Hul Ix Jor Kel Lum Mor Nax Or Pra Quil Ros Syl Tam Ul Vex Wil Xan Yor Zim"
)
_MIDDLES: Final = words("a e i o u an er il on ur am ent ith oss")
_TAILS: Final = words("bic cor dex fy gen hub ion jet kit lio mix nox pop quo rix sync tor ula vio wave xis yon zen")
RARE: Final = tuple(head + middle + tail for middle in _MIDDLES for tail in _TAILS for head in _HEADS)

FOREIGN: Final = words(
    "données café über später añadir próximo 数据 自动化 工作流 設定 データ сообщение отчёт não você için ação "
    "📧 📊 🤖 💡 🔑 ⏰ ➜"
)

VERBS: Final = words(
    """
Create Build Generate Send Sync Extract Analyze Summarize Track Monitor Transform Convert Schedule Publish Scrape
Manage Process Enrich Classify Translate Backup Import Export Update Validate Route Personalize Collect Compare Fetch
"""
)

OBJECTS: Final = _lines(
    """
email replies|social media posts|customer feedback|lead generation|invoices|blog articles|video transcripts|RSS news
support tickets|sales reports|meeting notes|product images|job applications|calendar events|SEO keywords|AI videos
new contacts|order confirmations|voice messages|PDF documents|web pages|expense receipts|stock prices|weekly digests
onboarding tasks|chatbot answers|knowledge bases|survey responses|server alerts|cold outreach|content ideas|form entries
"""
)

CATEGORIES: Final = (
    "AI",
    "Marketing",
    "Sales",
    "Engineering",
    "Content Creation",
    "Support",
    "Lead Generation",
    "Productivity",
    "Document Extraction",
    "Social Media",
    "DevOps",
    "Finance",
    "HR",
    "Market Research",
    "SecOps",
    "Other",
)

GIVEN_NAMES: Final = words(
    """
Anna Ben Carla David Elena Farid Grace Hiro Ines Jonas Kavya Liam Maria Nikhil Olga Paulo Quinn Rosa Samir Tomás Uma
Viktor Wei Ximena Yusuf Zoë Adam Beatriz Chen Diego Emma Felix Gita Hugo Ivan Julia Kofi Laura Mateo Noor Oscar Priya
Rafael Sofia Théo Ursula Valentina Walid Yuki Zara
"""
)

FAMILY_NAMES: Final = words(
    """
Abbas Berg Costa Dubois Eriksen Ferrari García Haddad Ivanova Jansen Khan López Müller Nakamura Okafor Patel Quiroga
Rossi Silva Tanaka Ueda Vega Wagner Xu Yilmaz Zhang Andersen Brandt Castro Demir Evans Fischer Gupta Hansen Ito
Jensen Kim Larsen Mehta Novak Oliveira Petrov Reyes Schmidt Torres Ulrich Varga Weber Yamada Zimmermann Agarwal Bauer
Cohen Diaz Engel Fontaine Gomez Hoffmann Ibrahim Jung
"""
)

IDENTIFIERS: Final = words(
    """
id name email status message data items title url content created_at userId chatId text summary row index count total
price category language fileId fileName mimeType body headers query token page results score record payload error
customer order phone company notes tags date prompt response output answer question metadata
"""
)

CODE: Final = (
    "const NAME = $input.all();",
    "for (const item of $input.all()) {",
    "  const NAME = item.json.NAME || '';",
    "  if (!NAME) continue;",
    "  results.push({ json: { NAME: item.json.NAME } });",
    "}",
    "return results;",
    "",
    "// Extract NAME from the previous node",
    "const NAME = $('Set Fields').first().json.NAME;",
    "const NAME = JSON.parse($json.NAME);",
    'const NAME = text.match(/"NAME":\\s*"([^"]+)"/);',
    "let NAME = [];",
    "function formatNAME(value) {",
    "  return String(value).trim().toLowerCase();",
    "try {",
    "} catch (error) {",
    "  console.log('NAME failed', error.message);",
    "return [{ json: { NAME, success: true } }];",
    "const NAME = new Date().toISOString().split('T')[0];",
    "  .filter((entry) => entry.NAME > 0)",
    "  .map((entry) => entry.NAME)",
    "  .join('\\n');",
    "    NAME: item.json.NAME ?? null,",
    "    NAME: parseInt(item.json.NAME, 10),",
    "  };",
    "const NAME = Object.keys(item.json).reduce((acc, key) => {",
    "  acc[key] = item.json[key];",
    "  return acc;",
    "}, {});",
    "if (NAME.length === 0) {",
    "  throw new Error('No NAME found');",
    'const html = `<div class="NAME"><h2>${NAME}</h2></div>`;',
    "  item.json.NAME = item.json.NAME.replace(/<[^>]*>/g, ' ');",
    "/* NAME: one entry per row */",
    "const NAME = Math.round(total / NAME.length);",
)

BRANDS: Final = _lines(
    """
Google Sheets|OpenAI|Telegram|Gmail|Slack|Google Drive|Gemini|GPT-4o|Airtable|Notion|WhatsApp|YouTube|LinkedIn|HubSpot
Discord|WordPress|Claude|Supabase|Perplexity|Google Calendar|Shopify|Jira|GitHub|Postgres|Instagram|TikTok|ElevenLabs
Apify|Bright Data|Pinecone|Stripe|Zendesk|Outlook|Microsoft Teams|Trello|ClickUp|Asana|Salesforce|Pipedrive|Mailchimp
Twilio|Twitter/X|Reddit|Spotify|Zoom|QuickBooks|Xero|MongoDB|Qdrant|Mistral|DeepSeek|Ollama|Firecrawl|SerpApi|Baserow
"""
)
