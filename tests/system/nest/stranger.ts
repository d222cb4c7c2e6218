// Writes to topic `order` what does not belong there, and prints where each message went.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientKafka, ClientsModule } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { Log, print, producer, run } from './kafka';

// With the key of a real order, its messages stand among that order's own.
const key = process.env.KEY;

const MESSAGES: Record<string, unknown> = {
  'plain text': 'two americanos, please',
  'json without headers': { key, value: { menu: 'americano', quantity: 2 } },
  tombstone: { key: key ?? 'nobody', value: null },
  // Bytes that are no UTF-8, with a zero first, as a schema registry's would have.
  'binary garbage': { key, value: Buffer.from([0x00, 0xff, 0xfe, 0xc3, 0x28, 0x7b, 0x00, 0x80]) },
};

@Module({ imports: [ClientsModule.register([producer('stranger')])] })
class App {}

run(async () => {
  const app = await NestFactory.createApplicationContext(App, { logger: new Log() });
  const kafka = app.get<ClientKafka>('stranger');
  for (const [what, message] of Object.entries(MESSAGES)) {
    const [{ partition, baseOffset }] = await lastValueFrom(kafka.emit('order', message));
    print({ what, partition, offset: baseOffset });
  }
  await app.close();
});
