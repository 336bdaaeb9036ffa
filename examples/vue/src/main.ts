import { createApp } from 'vue';
import Apply from './Apply.vue';

createApp(Apply, { url: import.meta.env.VITE_API_ROOT_URL }).mount('#root');
