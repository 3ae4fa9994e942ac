/** The text of `podplane trace`: the packet, what it caused, the answer and what that caused. */
import type { ConversationReport } from '../trace.js';
import type { Paint } from './colour.js';
import { traceText } from './trace-text.js';

export function conversationText(report: ConversationReport, paint: Paint): string {
  const parts = [traceText(report, `${report.from} → ${report.to}`, paint)];
  for (const caused of report.caused) parts.push(traceText(caused, 'caused by it', paint));
  if (report.noReply !== undefined) parts.push(`${paint('dim', `no reply is sent: ${report.noReply}`)}\n`);
  if (report.reply !== undefined) {
    parts.push(traceText(report.reply, 'the reply', paint));
    for (const caused of report.reply.caused) parts.push(traceText(caused, 'caused by the reply', paint));
  }
  return parts.join('\n');
}
